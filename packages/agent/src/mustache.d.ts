// The part of mustache 4.2 that the file applier uses; the package brings no types.

declare module "mustache" {
  interface RenderOptions {
    readonly escape?: (value: unknown) => string;
  }

  const mustache: {
    render(
      template: string,
      view: Readonly<Record<string, unknown>>,
      partials?: undefined,
      options?: RenderOptions,
    ): string;
  };
  export default mustache;
}

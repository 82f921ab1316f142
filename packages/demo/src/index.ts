// The main job on embedded defaults: three servers, five nodes, one terminal.
export {};

// JSON, YAML and name output of objects.

import { KinglyError } from "@kingly/base";
import { kindInfo, type ApiObject } from "@kingly/resources";
import { stringify } from "yaml";

/** Output formats of objects. */
export const FORMATS: readonly string[] = ["table", "wide", "json", "yaml", "name"];

/** Checks a format given by a person. */
export function checkFormat(format: string): string {
  if (FORMATS.includes(format)) return format;
  throw new KinglyError("Usage", `-o: "${format}" is not one of ${FORMATS.join(", ")}`, {
    field: "-o",
    value: format,
  });
}

/** One object, or a List of several, as text with a final newline. */
export function formatObjects(
  objects: readonly ApiObject[],
  options: { readonly format: string; readonly single: boolean },
): string {
  if (options.format === "name") {
    return objects
      .map((object) => `${kindInfo(object.kind).singular}/${object.metadata.name}\n`)
      .join("");
  }
  const value =
    options.single && objects.length === 1
      ? objects[0]
      : { apiVersion: "v1", kind: "List", metadata: {}, items: objects };
  return options.format === "yaml" ? stringify(value) : `${JSON.stringify(value, undefined, 2)}\n`;
}

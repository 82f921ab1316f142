// The API's kinds: schemas, validation, defaulting, table columns.
export {};

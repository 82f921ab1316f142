// The three functions of the metadata reflection proposal that the certificate library's injection
// container asks for at load time. Written here because the usual polyfill would be a dependency for
// these few lines. Imported before the library, for its effect on `Reflect`.

type Key = string | symbol;
type Metadata = Map<Key | undefined, Map<unknown, unknown>>;

interface ReflectMetadata {
  defineMetadata?(key: unknown, value: unknown, target: object, property?: Key): void;
  getOwnMetadata?(key: unknown, target: object, property?: Key): unknown;
  getMetadata?(key: unknown, target: object, property?: Key): unknown;
}

const store = new WeakMap<object, Metadata>();
const reflect = Reflect as ReflectMetadata;

function own(key: unknown, target: object, property?: Key): unknown {
  return store.get(target)?.get(property)?.get(key);
}

if (reflect.getMetadata === undefined) {
  reflect.defineMetadata = (key, value, target, property) => {
    const properties: Metadata = store.get(target) ?? new Map();
    store.set(target, properties);
    const values = properties.get(property) ?? new Map<unknown, unknown>();
    properties.set(property, values);
    values.set(key, value);
  };
  reflect.getOwnMetadata = own;
  reflect.getMetadata = (key, target, property) => {
    for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at) as object) {
      const found = own(key, at, property);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** True: the functions exist now. Importing this name keeps the import from being dropped. */
export const reflectMetadataReady = true;

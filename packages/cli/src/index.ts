// kinglyctl.
export {};

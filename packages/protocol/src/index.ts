// Generated proto types, wire conversion, signing, certificates.
export {};

// A small seeded generator for tests (xorshift128 over 32-bit words), with the noises that block means
// show in real life.

export interface Random {
  unit(): number;
  coin(): boolean;
  below(bound: number): number;
  normal(): number;
  studentT3(): number;
}

export function createRandom(seed: number): Random {
  let a = (seed ^ 0x9e3779b9) >>> 0 || 1;
  let b = Math.imul(seed + 1, 0x85ebca6b) >>> 0 || 2;
  let c = Math.imul(seed + 7, 0xc2b2ae35) >>> 0 || 3;
  let d = 0x1234567;
  const word = (): number => {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = (d ^ (d >>> 19) ^ t ^ (t >>> 8)) >>> 0;
    return d;
  };
  for (let i = 0; i < 20; i += 1) word();
  const unit = (): number => (word() + 0.5) / 4_294_967_296;
  const normal = (): number => Math.sqrt(-2 * Math.log(unit())) * Math.cos(2 * Math.PI * unit());
  const studentT3 = (): number => {
    const chi = normal() ** 2 + normal() ** 2 + normal() ** 2;
    return normal() / Math.sqrt(chi / 3);
  };
  return {
    unit,
    coin: () => word() >>> 31 === 1,
    below: (bound) => Math.floor(unit() * bound),
    normal,
    studentT3,
  };
}

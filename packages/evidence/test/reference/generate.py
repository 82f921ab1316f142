"""Writes reference.txt: values of the special functions and e-values at 50 digits (mpmath), rounded to 21.

Independent of the package: e-values come from their defining integrals, not from the closed forms under
test. Run: python3 generate.py > reference.txt
"""
import random
import mpmath as mp

mp.mp.dps = 50
random.seed(20)


def row(name, args, value):
    print(" ".join([name, *(repr(a) for a in args), mp.nstr(value, 21)]))


def ln_ncdf(z):
    z = mp.mpf(z)
    return mp.log(mp.erfc(-z / mp.sqrt(2)) / 2) if z < 6 else mp.log1p(-mp.erfc(z / mp.sqrt(2)) / 2)


def snse(total, squares, rho):
    """Mixture of exp(l S - l^2 V / 2) over a half-normal l with variance 1 / rho."""
    s, v, r = mp.mpf(total), mp.mpf(squares), mp.mpf(rho)
    width = 1 / mp.sqrt(v + r)
    peak = max(mp.mpf(0), s / (v + r))
    density = lambda l: 2 * mp.sqrt(r / (2 * mp.pi)) * mp.exp(l * s - l * l * (v + r) / 2)
    points = [0] + [peak + i * width for i in range(-12, 13, 2) if peak + i * width > 0]
    return mp.log(mp.quad(density, points + [points[-1] + 30 * width]))


def coin(k, n, p0):
    top = mp.betainc(k + 1, n - k + 1, p0, 1)
    return mp.log(top) - mp.log1p(-p0) - k * mp.log(p0) - (n - k) * mp.log1p(-p0)


for x in [1.0, 2.0, 0.5, 1e-300, 5e-324, 1.7e308, 1.0000000001, 0.9999999, 1.4142135623730951, 3.7]:
    row("ln", [x], mp.log(mp.mpf(x)))
for _ in range(60):
    x = mp.mpf(random.choice([1, 1, 50])) ** random.uniform(-8, 8) * mp.mpf(random.uniform(0.5, 2))
    row("ln", [float(x)], mp.log(mp.mpf(float(x))))
for x in [0.0, 1.0, -1.0, 1e-20, 709.7, -708.0, 0.34, -0.35, 30.5]:
    row("exp", [x], mp.exp(mp.mpf(x)))
for _ in range(60):
    x = random.uniform(-1, 1) * random.choice([1, 20, 700])
    row("exp", [x], mp.exp(mp.mpf(x)))
for z in [-1e8, -1e4, -300.0, -38.0, -20.0, -8.000001, -8.0, -7.99, -5.0, -3.0, -2.0000001, -2.0, -1.9999,
          -1.0, -1e-9, 0.0, 1e-9, 0.5, 1.0, 1.9999, 2.0, 2.5, 5.0, 8.0, 20.0, 37.0]:
    if z > -1e3:
        row("lnNormalCdf", [z], ln_ncdf(z))
    else:
        x = -mp.mpf(z)
        tail = sum((-1) ** i * mp.fac2(2 * i - 1) / x ** (2 * i) for i in range(1, 4))
        row("lnNormalCdf", [z], -x * x / 2 - mp.log(x * mp.sqrt(2 * mp.pi)) + mp.log1p(tail))
for _ in range(60):
    z = random.uniform(-12, 6)
    row("lnNormalCdf", [z], ln_ncdf(z))
for a, b in [(0.5, 0.5), (1, 1), (1, 8), (3, 9), (9.5, 9.5), (0.1, 30), (10, 10), (50, 71), (121, 1), (1000, 3),
             (4, 1e6), (1e5, 2e5), (12.25, 700.5)]:
    row("lnBeta", [float(a), float(b)], mp.log(mp.beta(a, b)))
for x in [0.1, 0.5, 1.5, 3.25, 9.99, 10.0, 55.5, 1e5]:
    row("lnGamma", [x], mp.loggamma(mp.mpf(x)))
for a, b, x in [(1, 8, 0.5), (8, 1, 0.5), (9, 3, 0.5), (0.5, 0.5, 0.3), (2, 3, 1e-9), (5, 5, 0.999),
                (60, 61, 0.5), (60, 61, 0.45), (30, 91, 0.3), (121, 1, 0.5), (20, 20, 0.2), (3.5, 40, 0.1)]:
    row("regularizedIncompleteBeta", [float(a), float(b), x], mp.betainc(a, b, 0, mp.mpf(x), regularized=True))
for s, v, r in [(10.0, 100.0, 15.80063490685053), (0.0, 0.0, 0.5), (3.5, 2.4, 0.09), (-3.5, 2.4, 0.09),
                (-20.0, 12.0, 0.01), (60.0, 30.0, 0.09), (0.01, 2.4, 0.09), (-1.2, 0.3, 2.0), (5.0, 2.5, 1e-6)]:
    row("lnSnse", [s, v, r], snse(s, v, r))
for k, n in [(0, 0), (5, 5), (7, 7), (8, 10), (0, 10), (14, 14), (60, 120), (75, 120), (120, 120), (0, 120),
             (30, 120), (900, 1000), (1000, 1000), (2000, 3000), (3000, 3000), (450, 1000)]:
    row("lnSign", [k, n], coin(k, n, mp.mpf(1) / 2))
for k, n, w, m in [(0, 0, 0.5, 0.1), (15, 15, 0.5, 0.1), (34, 40, 0.5, 0.1), (10, 40, 0.25, 0.0),
                   (150, 177, 0.5, 0.1), (40, 200, 0.1, 0.2), (0, 50, 0.5, 0.1), (600, 700, 0.9, 0.05)]:
    odds = (1 - mp.mpf(w)) / (mp.mpf(w) * (1 + mp.mpf(m)))
    row("lnEventCount", [k, n, w, m], coin(k, n, 1 / (1 + odds)))
for n, p, m in [(5, 0.001, 1), (5, 0.001, 2), (1000, 0.001, 7), (1000, 0.001, 6), (1000, 0.001, 10), (100, 0.5, 40),
                (100, 0.5, 60), (20, 0.3, 0), (20, 0.3, 20), (100000, 1e-5, 3), (50, 0.9, 50)]:
    tail = mp.betainc(m, n - m + 1, 0, mp.mpf(p), regularized=True) if m > 0 else mp.mpf(1)
    row("binomialTail", [n, p, m], tail)
total, squares, positives = 0.0, 0.0, 0
for i, d in enumerate([.12, -.03, .08, .15, .02, .11, -.01, .09, .14, .07]):
    total, squares, positives = total + d, squares + d * d, positives + (d > 0)
    rho = .01580063490685053
    e = (mp.exp(snse(total, squares, rho)) + mp.exp(coin(positives, i + 1, mp.mpf(1) / 2))) / 2
    row("lnCombined", [i + 1, positives, total, squares, rho], mp.log(e))

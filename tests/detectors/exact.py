"""Tails of counts to 40 digits, slowly: what `detectors.tails` is measured against."""

from decimal import Decimal, localcontext

BERNOULLI = [
    Decimal(a) / b for a, b in ((1, 6), (-1, 30), (1, 42), (-1, 30), (5, 66), (-691, 2730), (7, 6), (-3617, 510))
]
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")


def log_gamma(z: Decimal) -> Decimal:
    """log Gamma(z), z > 0."""
    shift = Decimal(1)
    while z < 100:
        shift *= z
        z += 1
    series = sum((b / (2 * i * (2 * i - 1) * z ** (2 * i - 1)) for i, b in enumerate(BERNOULLI, 1)), Decimal(0))
    return (z - Decimal("0.5")) * z.ln() - z + (2 * PI).ln() / 2 + series - shift.ln()


def tails(x: int, mean: float, size: float) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """P(X >= x), P(X > x), P(X <= x), P(X < x), each summed from its own side."""
    with localcontext() as context:
        context.prec = 40
        m, k = Decimal(mean), Decimal(x)
        if size == float("inf"):
            here = (-m + k * m.ln() - log_gamma(k + 1)).exp()
        else:
            r = Decimal(size)
            p = m / (m + r)
            here = (log_gamma(k + r) - log_gamma(r) - log_gamma(k + 1) + r * (r / (m + r)).ln() + k * p.ln()).exp()

        def ratio(j: Decimal) -> Decimal:
            """P(X = j + 1) / P(X = j)."""
            return m / (j + 1) if size == float("inf") else (r + j) / (j + 1) * p

        above, term, j = Decimal(0), here, k
        while True:
            term *= ratio(j)
            above += term
            j += 1
            if term <= above * Decimal("1e-30") and j > m:
                break
        below, term, j = Decimal(0), here, k
        while j > 0:
            j -= 1
            term /= ratio(j)
            below += term
            if term <= below * Decimal("1e-30") and j < m:
                break
        return above + here, above, below + here, below

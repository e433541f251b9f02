"""Bounds. In: how well planted canaries were told apart. Out: what the mechanism costs at least, with confidence. Pure.

    scores of canaries whose coin was heads, and tails  ──▶  effect_bound     mu, if the noise is Gaussian
    m canaries, r guesses, v of them correct            ──▶  one_run_epsilon  epsilon at delta, whatever the noise is
                                                        ──▶  one_run_mu       mu, if the trade-off is a Gaussian's
    true and false positives of one threshold           ──▶  plain_epsilon    epsilon at delta, canaries independent

Every bound holds with probability at least 1 - alpha, for a number of guesses and a threshold that were fixed before
the scores were seen. Whoever looks at several of them shares alpha among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from footlights.audit.normal import MU_MAX, cdf, last_where, quantile

Floats = NDArray[np.float64]

EPSILON_MAX = 100.0
#: Points and width, in standard deviations, of the quadrature over the standard deviation's own distribution.
_POINTS, _WIDTH = 400, 9.0


def effect_bound(heads: Floats, tails: Floats, *, alpha: float) -> float:
    """A lower bound on mu = (mean of heads - mean of tails) / standard deviation, of two Gaussian samples.

    heads, tails: scores, at least two of each. The standard deviation is estimated too: that the mechanism claims
    another is what an audit is to find. Exact: (d sqrt(n m / (n + m))) is a noncentral t with n + m - 2 degrees of
    freedom, whose noncentrality is mu sqrt(n m / (n + m)) (Johnson and Welch, Biometrika 1940).
    """
    n, m = len(heads), len(tails)
    assert n >= 2 and m >= 2, "a standard deviation takes two scores"
    freedom = n + m - 2
    pooled = math.sqrt((((heads - heads.mean()) ** 2).sum() + ((tails - tails.mean()) ** 2).sum()) / freedom)
    moved = float(heads.mean() - tails.mean())
    if moved <= 0:
        return 0.0
    size = math.sqrt(n * m / (n + m))
    if moved > pooled * MU_MAX:
        return MU_MAX
    seen = moved / pooled * size
    return last_where(lambda mu: 1 - _noncentral_t_cdf(seen, freedom, mu * size) < alpha, most=MU_MAX, within=1e-6)


def one_run_epsilon(canaries: int, guesses: int, correct: int, *, delta: float, alpha: float) -> float:
    """A lower bound on epsilon at delta from guesses on coins that were fair and independent.

    Source: Steinke, Nasr and Jagielski, "Privacy auditing with one (1) training run", NeurIPS 2023, theorem 5.2:
    P(at least v of r guesses are correct) <= P(W >= v) + 2 m delta max_i P(v > W >= v - i) / i, where W is binomial
    with r trials of e^epsilon / (1 + e^epsilon). Nothing is assumed of the mechanism or of how canaries hang together.
    """
    assert 0 <= correct <= guesses <= canaries, "guesses are about canaries"

    def refuted(epsilon: float) -> bool:
        chances = binomial(guesses, 1 / (1 + math.exp(-epsilon)))
        below = np.cumsum(chances[:correct][::-1]) / np.arange(1, correct + 1)
        spared = 2 * canaries * delta * float(below.max(initial=0.0))
        return float(chances[correct:].sum()) + spared < alpha

    return last_where(refuted, most=EPSILON_MAX, within=1e-6)


def one_run_mu(canaries: int, guesses: int, correct: int, *, alpha: float) -> float:
    """A lower bound on mu, of mu-GDP, from guesses on coins that were fair and independent.

    Source: Mahloujifar, Melis and Chaudhuri, "Auditing f-differential privacy in one run", ICML 2025, theorem 3.2 and
    algorithm 3. Let r(i) be the chance that a random canary is guessed right and at least i are, and h(i) that it is
    guessed wrong and at least i are right. Its coin alone tells the two apart, so r(i + 1) <= 1 - f(h(i)); and
    r(i) - r(i + 1) is i / (guesses - i) times h(i) - h(i + 1). If at least `correct` are right with chance alpha, both
    grow from there down to i = 0, where they must not be more than guesses / canaries in sum.
    """
    assert 0 <= correct <= guesses <= canaries, "guesses are about canaries"
    return last_where(lambda mu: _impossible(canaries, guesses, correct, mu=mu, alpha=alpha), most=MU_MAX, within=1e-6)


def _impossible(canaries: int, guesses: int, correct: int, *, mu: float, alpha: float) -> bool:
    right, wrong = alpha * correct / canaries, alpha * (guesses - correct) / canaries
    most = guesses / canaries
    for count in range(correct - 1, -1, -1):
        grown = max(wrong, cdf(quantile(right) - mu))  # the inverse of 1 - f, which is Phi(Phi^-1(x) + mu)
        right += count / (guesses - count) * (grown - wrong)
        wrong = grown
        if right + wrong > most:
            return True
    return False


def plain_epsilon(
    *, true_positives: int, positives: int, false_positives: int, negatives: int, delta: float, alpha: float
) -> float:
    """A lower bound on epsilon at delta from one threshold on independent canaries: both ways, Clopper and Pearson.

    Source: Nasr et al., "Adversary instantiation", IEEE S&P 2021, section II-C. Four rates are bounded, so each has a
    quarter of alpha.
    """
    hit_low, hit_high = clopper_pearson(true_positives, positives, alpha=alpha / 2)
    false_low, false_high = clopper_pearson(false_positives, negatives, alpha=alpha / 2)
    ways = ((hit_low, false_high), (1 - false_high, 1 - hit_low), (false_low, hit_high), (1 - hit_high, 1 - false_low))
    return max(0.0, *(_log_ratio(above - delta, below) for above, below in ways))


def clopper_pearson(successes: int, trials: int, *, alpha: float) -> tuple[float, float]:
    """The two-sided interval of a rate, alpha / 2 on each side (Clopper and Pearson, Biometrika 1934)."""
    assert 0 <= successes <= trials, "successes are among trials"
    return _least_rate(successes, trials, alpha / 2), 1 - _least_rate(trials - successes, trials, alpha / 2)


def binomial(trials: int, chance: float) -> Floats:
    """The probabilities of 0..trials successes."""
    counts = np.arange(trials + 1)
    if chance <= 0.0 or chance >= 1.0:
        certain: Floats = (counts == (0 if chance <= 0.0 else trials)).astype(np.float64)
        return certain
    logs = np.array(_log_factorials(trials))
    chances: Floats = np.exp(
        logs[-1] - logs - logs[::-1] + counts * math.log(chance) + (trials - counts) * math.log1p(-chance)
    )
    return chances


def _log_factorials(count: int) -> Sequence[float]:
    return [math.lgamma(number + 1) for number in range(count + 1)]


def _least_rate(successes: int, trials: int, alpha: float) -> float:
    if successes == 0:
        return 0.0
    return last_where(lambda rate: float(binomial(trials, rate)[successes:].sum()) < alpha, most=1.0)


def _log_ratio(above: float, below: float) -> float:
    if above <= 0:
        return 0.0
    return EPSILON_MAX if below <= 0 else min(EPSILON_MAX, math.log(above / below))


def _noncentral_t_cdf(t: float, freedom: int, noncentrality: float) -> float:
    """P((Z + noncentrality) / S <= t), by quadrature over S = sqrt(chi^2 / freedom)."""
    half = _WIDTH / math.sqrt(2 * freedom)
    spread = np.linspace(max(1e-9, 1 - half), 1 + half, _POINTS)
    logs = (freedom - 1) * np.log(spread) - freedom * spread**2 / 2
    weights = np.exp(logs - logs.max())
    below = np.array([cdf(t * s - noncentrality) for s in spread.tolist()])
    return float(below @ weights / weights.sum())

"""Accountant. In: zCDP as a fraction. Out: the (epsilon, delta) that people read. Pure; conversion by dp-accounting.

rho adds up exactly, as fractions. Only the last step, to epsilon, is a float, and it is rounded up.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


def epsilon_of(rho: Fraction, *, delta: float) -> float:
    """The epsilon at delta of rho-zCDP, rounded up to 1/1000.

    From the Renyi curve alpha * rho (Bun and Steinke, TCC 2016, definition 1.1), by dp-accounting's conversion
    (Canonne, Kamath and Steinke, NeurIPS 2020, proposition 12).
    """
    from dp_accounting.rdp import compute_epsilon  # takes a second to import, and few commands need it

    orders = np.concatenate([np.linspace(1.05, 10, 180), np.linspace(10, 200, 400), np.linspace(200, 5000, 400)])
    epsilon, _ = compute_epsilon(orders, orders * float(rho), delta)
    return math.ceil(float(epsilon) * 1000) / 1000


def plain_epsilon_of(rho: Fraction, *, delta: float) -> float:
    """The well-known bound rho + 2 sqrt(rho ln(1/delta)) (Bun and Steinke, TCC 2016, proposition 1.3), rounded up."""
    value = float(rho) + 2 * math.sqrt(float(rho) * math.log(1 / delta))
    return math.ceil(value * 1000) / 1000

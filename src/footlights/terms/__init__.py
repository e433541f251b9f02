"""Terms. The words that every room shares: events, metrics, ticks, figures, policy, errors. No I/O."""

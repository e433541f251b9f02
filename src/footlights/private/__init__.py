"""The private side. In: events. Out: Exact, to the gate alone. Nothing here is ever served to a reader."""

"""The public side. In: figures from the gate. Out: pages and the API. It loads no private code."""

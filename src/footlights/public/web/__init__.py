"""Web. In: requests. Out: pages and API answers made of figures. Never reads anything but the board and accounts."""

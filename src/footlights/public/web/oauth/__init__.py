"""OAuth. The authorization server over HTTP, the page on which a creator decides, and what lets an app's token in."""

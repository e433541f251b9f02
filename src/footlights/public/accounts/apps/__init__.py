"""Apps. What a creator lets an app read: who the app is, what was agreed to, the tokens that stand for it."""

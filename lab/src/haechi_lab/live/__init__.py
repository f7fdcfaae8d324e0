"""``haechi train live``: the thresholds for calls, and how often and how soon they are reached."""

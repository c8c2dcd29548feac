"""Territory packs: reading, checking and loading them. Each folder here is a pack; code stands in pack.py and check.py."""

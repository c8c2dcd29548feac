"""The territory: kinds, collections, register, planning, files. All SQL lives here; no web framework does."""

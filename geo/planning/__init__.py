"""Planners' questions, a verb a file: distances on the ellipsoid, in metres; every answer says what it rests on."""

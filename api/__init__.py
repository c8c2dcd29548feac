"""The doors: HTTP and the command line. No SQL and no geometry here."""

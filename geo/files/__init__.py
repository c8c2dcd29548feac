"""The room that reads files, seen from the door: what an import is asked and what it reports. Light to import.

The work is done by a child process (`geo.files.reader`), which alone loads the format libraries; they would cost the
service 130 MB. Nothing here may import pyogrio, pyarrow, shapely, pyproj or geopandas.
"""

from geo.files.errand import ImportDied, run_import
from geo.files.report import ImportRequest, Note, Report, is_address

__all__ = ["ImportDied", "ImportRequest", "Note", "Report", "is_address", "run_import"]

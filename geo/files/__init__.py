"""The room that reads and writes files, seen from the door: imports, reports, layers to export. Light to import.

The work is done by child processes (`geo.files.reader`, `geo.files.writer`), which alone load the format
libraries; they would cost the service 130 MB. Nothing here may import pyogrio, pyarrow, shapely, pyproj or geopandas.
"""

from geo.files.errand import ImportDied, run_import
from geo.files.report import ImportRequest, Note, Report, is_address

__all__ = ["ImportDied", "ImportRequest", "Note", "Report", "is_address", "run_import"]

from footlights.client import connect as connect
from footlights.client import open as open

__version__: str

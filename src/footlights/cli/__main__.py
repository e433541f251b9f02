"""`python -m footlights.cli`: how a supervisor starts a room."""

import sys

from footlights.cli import main

sys.exit(main())

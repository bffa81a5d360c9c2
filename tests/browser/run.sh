#!/bin/sh
# Checks the live map at URL in a headless Chromium; the picture of the page goes to SCREENSHOT.
# usage: tests/browser/run.sh URL [SCREENSHOT.png]
exec python3 "$(dirname "$0")/map_test.py" "$@"

"""Everything `manage.py demo` fills an empty site with: texts written and pictures drawn for it, nobody else's."""

"""Posts moving in from other systems and out again: readers make records, the importer writes them."""

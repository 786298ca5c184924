"""Reading faces from the files that people have: CSVs, gzip, zips, folders of pictures, and caches of these.

The readers take a path and yield blocks of arrays, or raise BadInput with the file and the line. They know neither
splits nor training; `emotion_core.dataset` is what the rest of the library uses. `cache` is the only module here that
writes.
"""

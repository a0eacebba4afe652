"""Reads licences where they stand: package metadata, licence files, poms, Debian's copyright files."""

"""The licence of everything that is fetched for the sandbox and the program, in one list, and the judgement of it.

`list.tsv` is made by `make licences` (`python -m sandbox.licences`), which reads metadata and licence files. A test
compares it, without network, with the lock files and the parts, and refuses what is not open source.
"""

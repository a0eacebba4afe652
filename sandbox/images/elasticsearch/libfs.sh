# What an init container of the real chart's search engine asks for, which copies an image's plug-ins to its volume.

# Whether there is nothing in a folder, or no such folder.
is_dir_empty() {
  [[ -z "$(ls -A "$1" 2>/dev/null)" ]]
}

# Where that init container looks for plug-ins: this image has none.
export DB_DEFAULT_PLUGINS_DIR=/opt/opensearch/plugins

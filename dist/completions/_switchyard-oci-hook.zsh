#compdef switchyard-oci-hook
_arguments \
    '--name=[name of the machine]:name' \
    '--leader=[first process]:process:_pids' \
    '--service=[container manager]:service' \
    '--root=[root directory on the host]:directory:_directories' \
    '--trust-annotations[let an annotation give the name]' \
    '--strict[exit with 1 where something went wrong]' \
    '--socket=[socket of machined]:socket:_files' \
    '(- *)'{-h,--help}'[print a summary of the options]' \
    '(- *)--version[print the version]' \
    '1::verb:(register unregister)'

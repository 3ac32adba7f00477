#compdef switchyard-lookaside
_arguments \
    '--json[print JSON instead of a table]' \
    '(- *)'{-h,--help}'[print a summary of the options]' \
    '(- *)--version[print the version]' \
    '1:verb:(stat)' \
    '*:map:_files'

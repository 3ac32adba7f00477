complete -c switchyard-lookaside -n 'not __fish_seen_subcommand_from stat' -f -a stat -d 'Show the maps in numbers'
complete -c switchyard-lookaside -l json -d 'Print JSON instead of a table'
complete -c switchyard-lookaside -s h -l help -d 'Print a summary of the options'
complete -c switchyard-lookaside -l version -d 'Print the version'

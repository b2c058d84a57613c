# Completion of ckptbridge in fish. The command itself says what there is: third-party plugins and their
# options are completed, too.
function __ckptbridge_words
    set -l typed (commandline -opc)
    if test (count $typed) -eq 1
        ckptbridge --help=words 2>/dev/null | string replace -r '^([^\t]*)\t[^\t]*\t' '$1\t'
        return
    end
    for line in (ckptbridge $typed[2] --help=words 2>/dev/null)
        set -l fields (string split \t -- $line)
        if test "$fields[1]" = "$typed[-1]"; and string match -q '*|*' -- $fields[2]
            string split '|' -- $fields[2]
            return
        end
    end
    ckptbridge $typed[2] --help=words 2>/dev/null | string replace -r '^([^\t]*)\t[^\t]*\t' '$1\t'
end
complete -c ckptbridge -n 'test (count (commandline -opc)) -eq 1' -f -a '(__ckptbridge_words)'
complete -c ckptbridge -n 'test (count (commandline -opc)) -gt 1' -a '(__ckptbridge_words)'

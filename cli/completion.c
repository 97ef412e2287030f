/* depthq completion: what a shell completes after `depthq`. The commands are
 * those of cli/commands.def; a command's options are read from its --help when
 * they are asked for, so they are those of the depthq that is installed. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/option.h"
#include "base/text.h"
#include "cli/commands.h"

static const char help[] =
    "Examples:\n"
    "  source <(depthq completion bash)      # in ~/.bashrc\n"
    "  source <(depthq completion zsh)       # in ~/.zshrc, after compinit\n"
    "  depthq completion fish | source       # in config.fish\n"
    "\n"
    "Usage: depthq completion bash|zsh|fish\n"
    "\n"
    "Prints a script for your shell, which then completes commands, their\n"
    "options, and the jobs that the queue has. `make install` puts them where\n"
    "shells look for them.\n"
    "\n"
    "  -h, --help    show this\n";

/* ---- pieces of all scripts -----------------------------------------------*/

/* Options of a command, one a line, from its help on standard input. */
#define OPTIONS_OF "sed -n 's/^  \\(-.,\\|   \\) \\(--[a-z-]*\\).*/\\2/p'"
/* Ids and names of jobs, from the table of `depthq status`. */
#define JOBS "depthq status 2>/dev/null | awk 'NR > 1 {print $1; print $2}'"

/* Verbs of jobs in the queue. */
static int takes_jobs(const struct dq_command *c)
{
    return c->client && strcmp(c->name, "submit") != 0 &&
           strcmp(c->name, "reprocess") != 0 && /* job files */
           strcmp(c->name, "workers") != 0;
}

static void print_verbs(const char *between, int of_jobs)
{
    const char *before = "";

    for (size_t i = 0; i < dq_command_count; i++)
        if (!of_jobs || takes_jobs(&dq_commands[i])) {
            printf("%s%s", before, dq_commands[i].name);
            before = between;
        }
}

/* Within single quotes of a shell. */
static void print_quoted(const char *text)
{
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
}

/* ---- shells --------------------------------------------------------------*/

static void print_bash(void)
{
    fputs("# depthq completion bash\n"
          "_depthq() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]} "
          "words\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words='--help --version ",
          stdout);
    print_verbs(" ", 0);
    fputs("'\n"
          "    elif [[ $word == -* ]]; then\n"
          "        words=$(depthq help \"$verb\" 2>/dev/null | " OPTIONS_OF
          ")\n"
          "    else\n"
          "        case $verb in\n"
          "        help) words='",
          stdout);
    print_verbs(" ", 0);
    fputs("' ;;\n"
          "        completion) words='bash zsh fish' ;;\n"
          "        workers) words='drain resume log' ;;\n"
          "        ",
          stdout);
    print_verbs("|", 1);
    fputs(") words=$(" JOBS ") ;;\n"
          "        *)\n"
          "            mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
          "            compopt -o filenames 2>/dev/null\n"
          "            return 0 ;;\n"
          "        esac\n"
          "    fi\n"
          /* compgen -W would expand what is in the names of jobs */
          "    local one list\n"
          "    COMPREPLY=()\n"
          "    read -r -a list <<<\"${words//$'\\n'/ }\"\n"
          "    for one in \"${list[@]}\"; do\n"
          "        [[ $one != \"$word\"* ]] || "
          "COMPREPLY+=(\"$(printf %q \"$one\")\")\n"
          "    done\n"
          "}\n"
          "complete -F _depthq depthq\n",
          stdout);
}

static void print_zsh(void)
{
    fputs("#compdef depthq\n"
          "_depthq() {\n"
          "    local -a list\n"
          "    if (( CURRENT == 2 )); then\n"
          "        list=(\n",
          stdout);
    for (size_t i = 0; i < dq_command_count; i++) {
        printf("            '%s:", dq_commands[i].name);
        print_quoted(dq_commands[i].doc);
        fputs("'\n", stdout);
    }
    fputs("        )\n"
          "        _describe command list\n"
          "    elif [[ $words[CURRENT] == -* ]]; then\n"
          "        list=(${(f)\"$(depthq help $words[2] 2>/dev/null "
          "| " OPTIONS_OF ")\"})\n"
          "        compadd -a list\n"
          "    else\n"
          "        case $words[2] in\n"
          "        (help) compadd ",
          stdout);
    print_verbs(" ", 0);
    fputs(" ;;\n"
          "        (completion) compadd bash zsh fish ;;\n"
          "        (workers) compadd drain resume log ;;\n"
          "        (",
          stdout);
    print_verbs("|", 1);
    fputs(")\n"
          "            list=(${(f)\"$(" JOBS ")\"})\n"
          "            compadd -a list ;;\n"
          "        (*) _files ;;\n"
          "        esac\n"
          "    fi\n"
          "}\n"
          /* a file of fpath is the function's body at its first call */
          "if [[ $funcstack[1] == _depthq ]]; then\n"
          "    _depthq \"$@\"\n"
          "else\n"
          "    compdef _depthq depthq\n"
          "fi\n",
          stdout);
}

static void print_fish(void)
{
    fputs("# depthq completion fish\n"
          "function __depthq_options\n"
          "    set -l words (commandline -opc)\n"
          "    test (count $words) -gt 1\n"
          "    and depthq help $words[2] 2>/dev/null | " OPTIONS_OF "\n"
          "end\n"
          "function __depthq_jobs\n"
          "    " JOBS "\n"
          "end\n",
          stdout);
    for (size_t i = 0; i < dq_command_count; i++) {
        printf("complete -c depthq -f -n __fish_use_subcommand -a %s -d '",
               dq_commands[i].name);
        print_quoted(dq_commands[i].doc);
        fputs("'\n", stdout);
    }
    fputs("complete -c depthq -f -n 'string match -q -- \"-*\" (commandline "
          "-ct)' -a '(__depthq_options)'\n"
          "complete -c depthq -f -n '__fish_seen_subcommand_from ",
          stdout);
    print_verbs(" ", 1);
    fputs("' -a '(__depthq_jobs)'\n"
          "complete -c depthq -f -n '__fish_seen_subcommand_from help' -a '",
          stdout);
    print_verbs(" ", 0);
    fputs("'\n"
          "complete -c depthq -f -n '__fish_seen_subcommand_from completion' "
          "-a 'bash zsh fish'\n"
          "complete -c depthq -f -n '__fish_seen_subcommand_from workers' -a "
          "'drain resume log'\n",
          stdout);
}

/* ---- the command ---------------------------------------------------------*/

static const char *const names[] = {"bash", "zsh", "fish"};
static void (*const prints[])(void) = {print_bash, print_zsh, print_fish};
enum { SHELLS = sizeof names / sizeof *names };

static int usage(const char *word)
{
    const char *near = word ? dq_text_nearest(word, names, SHELLS) : NULL;

    if (word)
        fprintf(stderr, "depthq completion: there is none for '%s'%s%s%s\n",
                word, near ? " (did you mean '" : "", near ? near : "",
                near ? "'?)" : "");
    else
        fputs("depthq completion: for which shell?\n", stderr);
    fputs("Try: depthq completion bash|zsh|fish\n", stderr);
    return dq_code_exit(DQ_USAGE);
}

int dq_cli_completion(int argc, char **argv)
{
    static const struct option options[] = {{"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option = dq_option_next("depthq completion", argc, argv, ":h", options);

    if (option == 'h') {
        fputs(help, stdout);
        return 0;
    }
    if (option == '?')
        return dq_code_exit(DQ_USAGE);
    if (argc - optind != 1)
        return usage(argc == optind ? NULL : argv[optind + 1]);
    for (int i = 0; i < SHELLS; i++)
        if (strcmp(argv[optind], names[i]) == 0) {
            prints[i]();
            return 0;
        }
    return usage(argv[optind]);
}

package main

// usage is kingpin's compact template, with the flags of the default command where no command is named: kingpin itself
// would leave out that they may be given without it.
const usage = `{{define "Command" -}}
{{if .FlagSummary}} {{.FlagSummary}}{{end -}}
{{range .Args}} {{if not .Required}}[{{end}}<{{.Name}}>{{if not .Required}}]{{end}}{{end -}}
{{end -}}
{{if .Context.SelectedCommand -}}
usage: {{.App.Name}} {{.Context.SelectedCommand}}{{template "Command" .Context.SelectedCommand}}

{{.Context.SelectedCommand.Help|Wrap 0}}
{{if .Context.Args -}}
Arguments:
{{.Context.Args|ArgsToTwoColumns|FormatTwoColumns}}
{{end -}}
{{if .Context.SelectedCommand.Flags -}}
Flags:
{{.Context.SelectedCommand.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{end -}}
Flags of all commands:
{{.App.Flags|FlagsToTwoColumns|FormatTwoColumns -}}
{{else -}}
usage: {{.App.Name}}{{template "Command" .App}} [<command>]

{{.App.Help|Wrap 0}}
Commands:
{{range .App.Commands}}{{if not .Hidden}}  {{.FullCommand}}{{template "Command" .}}
{{.Help|Wrap 4}}{{end}}{{end}}
{{range .App.Commands}}{{if .Default -}}
Flags of {{.FullCommand}}, the default:
{{.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{end}}{{end -}}
Flags of all commands:
{{.App.Flags|FlagsToTwoColumns|FormatTwoColumns -}}
{{end -}}
`

// kubectlFlags lets short flags be written as for kubectl, which kingpin reads in another way: -f=FILE as the value =FILE,
// and a lone - as an empty argument.
func kubectlFlags(args []string) []string {
	out := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(out, args[i:]...)
		}
		if len(arg) > 3 && arg[0] == '-' && arg[1] != '-' && arg[2] == '=' {
			arg = arg[:2] + arg[3:]
		}
		if last := len(out) - 1; arg == "-" && last >= 0 && (out[last] == "-f" || out[last] == "--filename") {
			out, arg = out[:last], "--filename=-"
		}
		out = append(out, arg)
	}
	return out
}

package main

import "github.com/spf13/cobra"

func (t tool) showsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "shows", Short: "Look after the shows", Args: cobra.NoArgs,
		Long: "Looks after many shows at once. An admin adds and changes single ones through the API.",
		RunE: help,
	}
	cmd.AddCommand(t.showsImportCommand())
	return cmd
}

// help is what a command does that only holds others. Without a RunE cobra lets any argument pass.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

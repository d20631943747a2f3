package main

import "github.com/spf13/cobra"

func (t tool) stockCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "stock", Short: "Look after the units left", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }, // without it cobra lets any argument pass
	}
	cmd.AddCommand(t.stockCheckCommand())
	return cmd
}

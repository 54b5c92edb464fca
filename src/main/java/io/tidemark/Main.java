package io.tidemark;

import io.tidemark.bootstrap.AgentCommand;
import io.tidemark.bootstrap.ControllerCommand;
import io.tidemark.bootstrap.ProviderLimits;
import io.tidemark.bootstrap.ProvidersCommand;
import io.tidemark.bootstrap.QuiesceCommand;
import io.tidemark.bootstrap.StandaloneCommand;
import io.tidemark.cli.PolicyCommand;
import io.tidemark.cli.TidemarkCommand;
import io.tidemark.quickstart.QuickstartCommand;
import java.util.Map;

/** Entry point of every role and every client command. */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        System.exit(TidemarkCommand.run(
                args,
                Map.of(
                        "standalone",
                        new StandaloneCommand(),
                        "controller",
                        new ControllerCommand(),
                        "agent",
                        new AgentCommand(),
                        "providers",
                        new ProvidersCommand(),
                        "policy",
                        new PolicyCommand(ProviderLimits::of),
                        "quiesce",
                        new QuiesceCommand(),
                        "quickstart",
                        new QuickstartCommand())));
    }
}

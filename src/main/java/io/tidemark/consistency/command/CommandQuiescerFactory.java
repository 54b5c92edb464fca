package io.tidemark.consistency.command;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.Explanation;
import io.tidemark.consistency.Explanation.Setting;
import io.tidemark.consistency.Quiescer;
import io.tidemark.consistency.QuiescerFactory;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.provider.commands.CommandRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes quiescers of kind {@code command} from what this host's configuration names. */
public final class CommandQuiescerFactory implements QuiescerFactory {
    private static final Logger LOG = LoggerFactory.getLogger(CommandQuiescerFactory.class);

    private static final String LEAST_RIGHTS = """
            The programs run as the account of the service. What they may do is theirs: give them an account of
            their own (setpriv, sudo -u, runuser) where they need less, and let nobody else write their files.
            """;

    private static final List<Setting> SETTINGS = List.of(Setting.text(
            "name", "", "needed: which of quiescers.commands of this host's configuration names the programs"));

    private final Map<String, CommandDefinition> commands;
    private final CommandPrograms programs = new CommandPrograms(new CommandRunner());
    private final HeldJournal journal;

    public CommandQuiescerFactory(Map<String, CommandDefinition> commands, Path stateFolder) {
        this.commands = new TreeMap<>(commands);
        this.journal = new HeldJournal(stateFolder.resolve("held-commands"));
    }

    @Override
    public String kind() {
        return CommandQuiescer.KIND;
    }

    @Override
    public Quiescer create(QuiescerSpec spec) throws ConsistencyException {
        var settings = QuiescerSettings.of(spec, Explanation.names(SETTINGS));
        if (!settings.has("name")) {
            throw settings.bad("name", "is missing: one of quiescers.commands of this host's configuration");
        }
        var name = settings.text("name", "");
        var command = commands.get(name);
        if (command == null) {
            throw settings.bad(
                    "name",
                    "is %s, which is not in quiescers.commands of this host's configuration; there are %s"
                            .formatted(name, commands.isEmpty() ? "none" : String.join(", ", commands.keySet())));
        }
        return new CommandQuiescer(command, programs, journal);
    }

    /**
     * Only where service and keeper both died is there anything left to thaw, or where a thaw program failed. One thaw
     * ends all that was left of a command.
     */
    @Override
    public void sweep() {
        try {
            journal.entries().stream()
                    .collect(Collectors.groupingBy(HeldJournal.Entry::command, TreeMap::new, Collectors.toList()))
                    .forEach(this::sweep);
        } catch (IOException e) {
            LOG.error("command_journal_unreadable error={}", e.getMessage());
        }
    }

    private void sweep(String name, List<HeldJournal.Entry> entries) {
        var command = commands.get(name);
        if (command == null) {
            LOG.error(
                    "application_not_thawed command={} files={} error=\"{}: thaw it by hand, then delete them\"",
                    name,
                    entries.stream().map(HeldJournal.Entry::file).toList(),
                    name.isEmpty() ? "they are damaged or of another version" : "not in quiescers.commands any more");
            return;
        }
        new LeftHeld(journal, programs)
                .thaw(command)
                .ifPresent(failure -> LOG.error("application_not_thawed command={} error={}", command.name(), failure));
    }

    @Override
    public String leastRights() {
        return LEAST_RIGHTS;
    }

    @Override
    public Explanation explain(QuiescerSpec spec) throws ConsistencyException {
        if (!spec.settings().isEmpty()) {
            // Read for its errors alone.
            var unused = create(spec);
        }
        return new Explanation(
                kind(),
                "Runs programs of your own, which this host's configuration names, around the cut.",
                List.of(
                        "plan: the programs must be there and executable; where the data lies nobody checks",
                        "freeze: the program prepare, where there is one; nobody is held",
                        "file systems are written out meanwhile",
                        "hold: a keeper process is started, which runs the program freeze within half of the freeze limit",
                        "file systems are frozen, the volumes are cut, file systems are thawed",
                        "thaw: the program check, where there is one, says whether it held; then the keeper runs the program"
                                + " thaw, again where that fails"),
                leastRights(),
                SETTINGS,
                List.of(
                        "freeze fails or outlasts its limit: thaw is run, FreezeFailed with what it said",
                        "check fails: not held, so not APPLICATION",
                        "the service is killed: the keeper thaws at once; stopped: at the freeze limit",
                        "service and keeper are killed: held until the service starts again, which thaws by its journal",
                        "thaw fails as often as it may: an error in the log, and tried again at the next start and before"
                                + " the next freeze"));
    }
}

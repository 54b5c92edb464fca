package io.tidemark.provider.lvm;

import io.tidemark.spi.ProviderException;
import java.util.List;
import java.util.stream.Stream;

/**
 * Puts a copy of a snapshot into a volume's place. {@code lvconvert --merge} would do it in one step, and use up the
 * snapshot. Steps, each whole or not at all: (1) the copy is made, tagged with the name whose place it takes; (2) the
 * volume is deactivated, which the kernel refuses where somebody has it open, and after which nobody can open it; (3) it
 * is tagged as replaced and (4) renamed away; (5) the copy gets its name and (6) its tags; (7) the old one is removed. A
 * crash before 4 leaves the old content; after it, {@link #sweep} goes on to the new one.
 */
final class Rollback {
    private final LvmCommands commands;

    Rollback(LvmCommands commands) {
        this.commands = commands;
    }

    void run(LogicalVolume volume, LogicalVolume snapshot) throws ProviderException {
        var replacement = LvmNames.forReplacement(volume.name());
        commands.copy(replacement, snapshot.name(), List.of(LvmNames.REPLACES + volume.name()));
        putAside(volume, replacement);
        commands.rename(replacement, volume.name());
        finish(volume.name(), volume.tags(), snapshot.tag(LvmNames.BYTES).stream());
        // The pool deletes the old one durably: LVM must not call that one the volume again after a power failure.
        commands.flush();
        commands.remove(LvmNames.forReplaced(volume.name()));
    }

    /** Where that fails, the volume can be used as before, if the storage lets it. */
    private void putAside(LogicalVolume volume, String replacement) throws ProviderException {
        try {
            commands.deactivate(volume.name());
        } catch (ProviderException e) {
            also(e, () -> commands.remove(replacement));
            throw e;
        }
        try {
            commands.tag(volume.name(), List.of(LvmNames.REPLACED), List.of());
            commands.rename(volume.name(), LvmNames.forReplaced(volume.name()));
        } catch (ProviderException e) {
            also(e, () -> commands.activate(volume.name()));
            throw e;
        }
    }

    private interface Undoing {
        void run() throws ProviderException;
    }

    private static void also(ProviderException failure, Undoing undoing) {
        try {
            undoing.run();
        } catch (ProviderException e) {
            failure.addSuppressed(e);
        }
    }

    /** The place is taken: now with all that says whose it is, and of the snapshot's size. */
    private void finish(String name, List<String> tags, Stream<String> sizeBytes) throws ProviderException {
        var kept = tags.stream().filter(tag -> !tag.equals(LvmNames.REPLACED) && !tag.startsWith(LvmNames.BYTES));
        var added = Stream.concat(kept, sizeBytes.map(bytes -> LvmNames.BYTES + bytes))
                .toList();
        commands.tag(name, added, List.of(LvmNames.REPLACES + name));
    }

    private void reactivate(LvmCatalog catalog, String name) throws ProviderException {
        var volume = catalog.named(name);
        if (volume.isPresent() && !volume.get().active()) {
            commands.activate(name);
        }
    }

    /** Finishes, or takes back, what a crash has left. */
    void sweep(LvmCatalog catalog) throws ProviderException {
        for (var entry : catalog.replacements().entrySet()) {
            var name = entry.getKey();
            var replacement = entry.getValue();
            var old = catalog.named(LvmNames.forReplaced(name));
            if (old.isEmpty()) {
                if (replacement.name().equals(name)) {
                    // Somebody has removed the old one: this is the volume now.
                    commands.tag(name, List.of(), List.of(LvmNames.REPLACES + name));
                } else {
                    // Not renamed away: the old content stays. As long as the copy is there, the next sweep comes here
                    // too.
                    reactivate(catalog, name);
                    commands.remove(replacement.name());
                }
                continue;
            }
            if (!replacement.name().equals(name)) {
                commands.rename(replacement.name(), name);
            }
            finish(
                    name,
                    old.get().tags(),
                    replacement.tag(LvmNames.BYTES).or(() -> old.get().tag(LvmNames.BYTES)).stream());
        }
        if (!catalog.replaced().isEmpty()) {
            commands.flush();
        }
        for (var old : catalog.replaced()) {
            if (LvmNames.isReplaced(old.name())) {
                commands.remove(old.name());
            } else {
                commands.tag(old.name(), List.of(), List.of(LvmNames.REPLACED));
            }
        }
    }
}

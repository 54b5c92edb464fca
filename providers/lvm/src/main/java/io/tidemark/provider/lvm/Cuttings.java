package io.tidemark.provider.lvm;

import io.tidemark.spi.Cut;
import io.tidemark.spi.CutRequest;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotId;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Cuts of volumes of both kinds. Those of one kind are of one instant; with both in one request there are two, one shortly
 * after the other, and the cut says that it is not atomic.
 */
final class Cuttings {

    private final LvmCommands commands;
    private final ThinCutting thin;
    private final ClassicCutting classic;

    Cuttings(LvmCommands commands, ThinCutting thin, ClassicCutting classic) {
        this.commands = commands;
        this.thin = thin;
        this.classic = classic;
    }

    /** Whether a cut of the request would start no program. */
    boolean prepared(CutRequest request) {
        return request.volumes().stream()
                .allMatch(volume ->
                        classic.prepared(request.recoveryPoint(), volume) || thin.prepared(only(request, volume)));
    }

    private static CutRequest only(CutRequest request, VolumeId volume) {
        return new CutRequest(request.recoveryPoint(), List.of(volume));
    }

    /** @throws ProviderException VolumeNotFound, before anything is changed */
    void prepare(CutRequest request, LvmCatalog catalog) throws ProviderException {
        var thins = new ArrayList<VolumeId>();
        var classics = new ArrayList<VolumeId>();
        for (var volume : request.volumes()) {
            (catalog.get(volume).on().thin() ? thins : classics).add(volume);
        }
        if (!classics.isEmpty()) {
            classic.prepare(new CutRequest(request.recoveryPoint(), classics), catalog);
        }
        if (!thins.isEmpty()) {
            thin.prepare(new CutRequest(request.recoveryPoint(), thins), catalog);
        }
    }

    /** Empty where one of them is not prepared. */
    Optional<Cut> cut(CutRequest request) throws ProviderException {
        if (!prepared(request)) {
            return Optional.empty();
        }
        var classics = new ArrayList<>(request.volumes());
        classics.removeIf(volume -> !classic.prepared(request.recoveryPoint(), volume));
        var thins = new ArrayList<>(request.volumes());
        thins.removeAll(classics);
        if (classics.isEmpty()) {
            return thin.cut(request);
        }
        if (thins.isEmpty()) {
            return classic.cut(request);
        }
        var first = classic.cut(new CutRequest(request.recoveryPoint(), classics));
        if (first.isEmpty()) {
            return first;
        }
        var second = thin.cut(new CutRequest(request.recoveryPoint(), thins));
        return second.map(cut -> {
            var members = new ArrayList<>(first.get().members());
            members.addAll(cut.members());
            return new Cut(false, members);
        });
    }

    /** A report of the group, in which what this process has cut counts as such. */
    List<LogicalVolume> settled(List<LogicalVolume> all) {
        classic.resumeLeft();
        return thin.settled(all).stream()
                .map(each -> classic.isCut(each.name()) ? each.without(LvmNames.PREPARED) : each)
                .toList();
    }

    /**
     * Takes the tags off of what has been cut; where that fails, the next report tries again, and nothing is lost by it.
     * Only while nobody else prepares or deletes: a name may be another one's then.
     *
     * @param all a report of this call
     */
    List<LogicalVolume> settle(List<LogicalVolume> all) {
        var settled = thin.settle(all);
        var names = settled.stream()
                .filter(each -> each.tags().contains(LvmNames.PREPARED) && classic.isCut(each.name()))
                .map(LogicalVolume::name)
                .toList();
        ThinCutting.untag(commands, names);
        return settled(all);
    }

    /**
     * The snapshot is about to be deleted: no cut may answer it. Also one that is prepared and was never cut.
     *
     * @return whether it was cut since the catalog was read, and is there
     */
    boolean forget(SnapshotId snapshot, LvmCatalog catalog) throws ProviderException {
        classic.forget(snapshot);
        var prepared = catalog.findAhead(snapshot).filter(each -> !each.on().thin());
        return prepared.isPresent() ? classic.remove(prepared.get()) : thin.forget(snapshot, catalog);
    }

    /**
     * The volume is about to go, or to become another one: removes what was prepared for it.
     *
     * @return whether some of it was cut since the catalog was read, and is there
     */
    boolean forget(VolumeId volume, LvmCatalog catalog) throws ProviderException {
        if (catalog.get(volume).on().thin()) {
            return thin.forget(volume, catalog);
        }
        classic.forget(volume);
        boolean isCut = false;
        for (var each : catalog.ahead()) {
            if (each.id().volume().equals(volume)) {
                isCut |= classic.remove(each);
            }
        }
        return isCut;
    }

    /** The snapshot's logical volume is deleted. */
    void deleted(String name) {
        thin.deleted(name);
        classic.deleted(name);
    }

    void rehearse() throws ProviderException {
        thin.rehearse();
        classic.rehearse();
    }

    /** Resumes the volumes that a process that was killed was cutting: their writers wait. */
    void resumeAll(LvmCatalog catalog) {
        thin.resumeAll(catalog);
    }

    /** Finishes what a process that was killed has left. */
    void sweep(LvmCatalog catalog) {
        thin.sweep(catalog);
        classic.sweep(catalog);
        var unused = settle(catalog.all());
    }
}

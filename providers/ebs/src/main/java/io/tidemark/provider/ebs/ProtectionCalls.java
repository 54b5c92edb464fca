package io.tidemark.provider.ebs;

import io.tidemark.provider.ebs.Ec2Calls.Page;
import io.tidemark.spi.ProviderException;
import io.tidemark.spi.SnapshotLocks.LockMode;
import io.tidemark.spi.SnapshotLocks.LockRequest;
import io.tidemark.spi.SnapshotLocks.SnapshotLock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.LockState;
import software.amazon.awssdk.services.ec2.model.LockedSnapshotsInfo;
import software.amazon.awssdk.services.ec2.model.SnapshotRecycleBinInfo;
import software.amazon.awssdk.services.ec2.model.SnapshotTierStatus;
import software.amazon.awssdk.services.ec2.model.TargetStorageTier;

/** What we ask of EC2 about locks, tiers, fast restores and the recycle bin, one call each, never repeated here. */
final class ProtectionCalls {
    /** The most that these lists give at a time (API reference). */
    private static final int PAGE_MAXIMUM = 1_000;

    private static final String SNAPSHOT_ID = "snapshot-id";

    private final Ec2Client client;
    private final Ec2Calls ec2;

    ProtectionCalls(Ec2Client client, Ec2Calls ec2) {
        this.client = client;
        this.ec2 = ec2;
    }

    /** One whose time is over is none. */
    Optional<SnapshotLock> lockOf(String snapshot) throws ProviderException {
        var answer = ec2.ask(
                "DescribeLockedSnapshots of " + snapshot,
                () -> client.describeLockedSnapshots(request -> request.snapshotIds(snapshot)));
        return answer.snapshots().stream()
                .filter(each -> each.lockState() != LockState.EXPIRED)
                .map(ProtectionCalls::lock)
                .findFirst();
    }

    private static SnapshotLock lock(LockedSnapshotsInfo told) {
        if (told.lockState() == LockState.GOVERNANCE) {
            return new SnapshotLock(LockMode.GOVERNANCE, told.lockExpiresOn(), Optional.empty());
        }
        var fixed = told.coolOffPeriodExpiresOn() == null ? told.lockCreatedOn() : told.coolOffPeriodExpiresOn();
        return new SnapshotLock(LockMode.COMPLIANCE, told.lockExpiresOn(), Optional.of(fixed));
    }

    void lock(String snapshot, LockRequest wanted) throws ProviderException {
        long hours = wanted.coolingOff().toHours();
        var unused = ec2.ask(
                "LockSnapshot of " + snapshot,
                () -> client.lockSnapshot(request -> request.snapshotId(snapshot)
                        .lockMode(wanted.mode() == LockMode.GOVERNANCE ? "governance" : "compliance")
                        // A time, not a duration: asked twice it is the same lock.
                        .expirationDate(wanted.until())
                        .coolOffPeriod(hours == 0 ? null : Math.toIntExact(hours))));
    }

    void unlock(String snapshot) throws ProviderException {
        var unused = ec2.ask(
                "UnlockSnapshot of " + snapshot, () -> client.unlockSnapshot(request -> request.snapshotId(snapshot)));
    }

    /** Empty where EC2 does not know the snapshot, yet or any more. */
    Optional<SnapshotTierStatus> tierOf(String snapshot) throws ProviderException {
        var answer = ec2.ask(
                "DescribeSnapshotTierStatus of " + snapshot,
                () -> client.describeSnapshotTierStatus(
                        request -> request.filters(Ec2Calls.filters(Map.of(SNAPSHOT_ID, snapshot)))));
        return answer.snapshotTierStatuses().stream().findFirst();
    }

    void archive(String snapshot) throws ProviderException {
        var unused = ec2.ask(
                "ModifySnapshotTier of " + snapshot,
                () -> client.modifySnapshotTier(
                        request -> request.snapshotId(snapshot).storageTier(TargetStorageTier.ARCHIVE)));
    }

    /** @param days empty: for good */
    void restoreTier(String snapshot, Optional<Integer> days) throws ProviderException {
        var unused = ec2.ask(
                "RestoreSnapshotTier of " + snapshot,
                () -> client.restoreSnapshotTier(request -> request.snapshotId(snapshot)
                        .temporaryRestoreDays(days.orElse(null))
                        .permanentRestore(days.isEmpty() ? Boolean.TRUE : null)));
    }

    /** @param state {@code enabling}, {@code optimizing}, {@code enabled}, {@code disabling}, {@code disabled} */
    record ZoneState(String zone, String state) {}

    List<ZoneState> fastRestores(String snapshot) throws ProviderException {
        var answer = ec2.ask(
                "DescribeFastSnapshotRestores of " + snapshot,
                () -> client.describeFastSnapshotRestores(
                        request -> request.filters(Ec2Calls.filters(Map.of(SNAPSHOT_ID, snapshot)))));
        return answer.fastSnapshotRestores().stream()
                .map(each -> new ZoneState(each.availabilityZone(), String.valueOf(each.stateAsString())))
                .toList();
    }

    /** @return what was refused, a line each; what is not in it was done */
    List<String> enableFastRestores(String snapshot, List<String> zones) throws ProviderException {
        var answer = ec2.ask(
                "EnableFastSnapshotRestores of " + snapshot,
                () -> client.enableFastSnapshotRestores(
                        request -> request.sourceSnapshotIds(snapshot).availabilityZones(zones)));
        return answer.unsuccessful().stream()
                .flatMap(each -> each.fastSnapshotRestoreStateErrors().stream())
                .map(each -> refusal(
                        each.availabilityZone(),
                        each.error().code(),
                        each.error().message()))
                .toList();
    }

    /** @return as {@link #enableFastRestores} */
    List<String> disableFastRestores(String snapshot, List<String> zones) throws ProviderException {
        var answer = ec2.ask(
                "DisableFastSnapshotRestores of " + snapshot,
                () -> client.disableFastSnapshotRestores(
                        request -> request.sourceSnapshotIds(snapshot).availabilityZones(zones)));
        return answer.unsuccessful().stream()
                .flatMap(each -> each.fastSnapshotRestoreStateErrors().stream())
                .map(each -> refusal(
                        each.availabilityZone(),
                        each.error().code(),
                        each.error().message()))
                .toList();
    }

    private static String refusal(String zone, String code, String message) {
        return "%s: %s: %s".formatted(zone, code, message);
    }

    /** @param description as it was made, which nobody can change */
    record Deleted(String id, String volume, String description, Instant at, Optional<Instant> goneAt) {}

    Page<Deleted> binned(Optional<String> next) throws ProviderException {
        var answer = ec2.ask(
                "ListSnapshotsInRecycleBin",
                () -> client.listSnapshotsInRecycleBin(
                        request -> request.maxResults(PAGE_MAXIMUM).nextToken(next.orElse(null))));
        return new Page<>(
                answer.snapshots().stream().map(ProtectionCalls::deleted).toList(), Ec2Calls.token(answer.nextToken()));
    }

    private static Deleted deleted(SnapshotRecycleBinInfo told) {
        return new Deleted(
                told.snapshotId(),
                String.valueOf(told.volumeId()),
                String.valueOf(told.description()),
                told.recycleBinEnterTime(),
                Optional.ofNullable(told.recycleBinExitTime()));
    }

    void undelete(String snapshot) throws ProviderException {
        var unused = ec2.ask(
                "RestoreSnapshotFromRecycleBin of " + snapshot,
                () -> client.restoreSnapshotFromRecycleBin(request -> request.snapshotId(snapshot)));
    }
}

package io.tidemark.provider.ebs;

import io.tidemark.provider.conformance.ProviderContract;
import io.tidemark.provider.conformance.TestStorage;
import io.tidemark.provider.fakecloud.aws.FakeAws;
import io.tidemark.provider.fakecloud.aws.FakeAwsSettings;
import io.tidemark.spi.StorageProvider;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;

/** The whole contract, of volumes that are chains of snapshots, over our fake of EBS direct. */
class EbsContractTest extends ProviderContract {
    private Optional<FakeAws> cloud = Optional.empty();
    private Optional<TestStorage> storage = Optional.empty();

    @Override
    protected StorageProvider open() throws Exception {
        if (cloud.isEmpty()) {
            cloud = Optional.of(FakeAws.start(FakeAwsSettings.defaults()));
            storage = Optional.of(TestStorage.plain());
        }
        var account = cloud.get();
        var config = EbsAccount.config(
                account.endpoint().toString(), storage.orElseThrow().base().resolve("staging"));
        return EbsAccount.openStaged(
                config,
                EbsAccount.inProcess(account, config),
                account.clock(),
                new AtomicBoolean(),
                new StagingFiles(() -> {}));
    }

    @AfterEach
    void leave() throws Exception {
        provider().close();
        EbsAccount.everyCallIsChecked(cloud.orElseThrow());
        cloud.get().close();
        storage.orElseThrow().close();
    }
}

package io.tidemark.provider.fakecloud.gce;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Loudly;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A fake project for each test, and at its end the word of the discovery document on every call that was made. */
abstract class GceChecked {
    protected FakeGce cloud = FakeGce.start();
    protected GceWire wire = new GceWire(cloud);

    @BeforeEach
    void modelsAreAtHand() {
        Loudly.needs(DiscoveryModel.available(), "no published models; set -Dtidemark.cloudModels");
    }

    /** Begins again with other settings. */
    protected void restart(FakeGceSettings settings) {
        cloud.close();
        cloud = FakeGce.start(settings);
        wire = new GceWire(cloud);
    }

    @AfterEach
    void everyCallWasCheckedAndNoneWasWrong() {
        cloud.close();
        if (DiscoveryModel.available()) {
            assertThat(cloud.violations()).isEmpty();
            assertThat(cloud.calls().values()).allMatch(count -> count.requestsChecked() == count.seen());
        }
    }
}

package io.tidemark.provider.fakecloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.fakecloud.Loudly;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A fake account for each test, and at its end the word of the published model on every call that was made. */
abstract class ModelChecked {
    protected FakeAws aws = FakeAws.start();
    protected AwsWire wire = new AwsWire(aws.endpoint());

    @BeforeEach
    void modelsAreAtHand() {
        Loudly.needs(ServiceModel.available(), "no published models; set -Dtidemark.cloudModels");
    }

    /** Begins again with other settings. */
    protected void restart(FakeAwsSettings settings) throws IOException {
        wire.close();
        aws.close();
        aws = FakeAws.start(settings);
        wire = new AwsWire(aws.endpoint());
    }

    @AfterEach
    void everyCallWasCheckedAndNoneWasWrong() {
        wire.close();
        aws.close();
        if (ServiceModel.available()) {
            assertThat(aws.violations()).isEmpty();
            assertThat(aws.calls().values()).allMatch(count -> count.requestsChecked() == count.seen());
        }
    }
}

package io.tidemark.provider.azure;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.provider.azure.AzureRights.Permission;
import io.tidemark.provider.fakecloud.azure.FakeAzure;
import io.tidemark.provider.fakecloud.azure.FakeAzureSettings;
import io.tidemark.spi.HostRequirement;
import io.tidemark.spi.HostRequirement.State;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@code providers check azure} says of rights. */
class AzureRightsTest {
    private final FakeAzure cloud = FakeAzure.inProcess(FakeAzureSettings.defaults());

    @AfterEach
    void everyCallIsChecked() {
        AzureAccount.everyCallIsChecked(cloud);
        cloud.close();
    }

    @Test
    void eachRightThatIsTakenAwayIsNamedAndNoOther() {
        for (var right : AzurePolicy.RIGHTS) {
            var account = FakeAzure.inProcess(FakeAzureSettings.defaults());
            account.takeAway(right);
            var checked = checked(account, Map.of());

            if (right.equals("Microsoft.Authorization/permissions/read")) {
                assertThat(checked)
                        .singleElement()
                        .satisfies(each ->
                                assertThat(each.detail()).contains("403", "permissions in resource group disks"));
            } else {
                assertThat(checked).singleElement().satisfies(each -> {
                    assertThat(each.state()).isEqualTo(State.LACKING);
                    assertThat(each.detail()).startsWith(right + ";").contains("providers policy azure");
                });
            }
            AzureAccount.everyCallIsChecked(account);
        }
    }

    @Test
    void eachGroupOfTheSettingsIsAsked() {
        assertThat(checked(cloud, Map.of("otherGroups.0", "more")))
                .extracting(HostRequirement::what, HostRequirement::state)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("rights in resource group disks", State.MET),
                        org.assertj.core.groups.Tuple.tuple("rights in resource group more", State.MET));
        assertThat(checked(cloud, Map.of("otherGroups", "*")))
                .extracting(HostRequirement::state)
                .containsExactly(State.MET, State.LIMITED);
    }

    /** "Understand Azure role definitions": a right that one role leaves out may come of another. */
    @Test
    void starsAndExceptionsAreOfOneRoleAlone() {
        var reader = new Permission(List.of("*/read"), List.of());
        var compute = new Permission(List.of("Microsoft.Compute/*"), List.of("microsoft.compute/snapshots/*/ACTION"));

        assertThat(reader.grants("Microsoft.Compute/disks/read")).isTrue();
        assertThat(reader.grants("Microsoft.Compute/disks/write")).isFalse();
        assertThat(compute.grants("Microsoft.Compute/snapshots/write")).isTrue();
        assertThat(compute.grants("Microsoft.Compute/snapshots/beginGetAccess/action"))
                .isFalse();
        assertThat(new Permission(List.of("Microsoft.Compute/disks"), List.of()).grants("Microsoft.Compute/disks/read"))
                .isFalse();
        assertThat(new Permission(List.of("*"), List.of()).grants("Microsoft.Compute/disks/read"))
                .isTrue();
    }

    private static List<HostRequirement> checked(FakeAzure cloud, Map<String, String> more) {
        var config = AzureAccount.config(cloud, "http://127.0.0.1", more);
        return AzureProviderFactory.rights(config, AzureAccount.clients(config, () -> cloud));
    }
}

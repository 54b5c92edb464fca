package io.tidemark.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.time.Clock;
import java.time.Instant;
import java.util.Random;

/** Who may import whom; docs/architecture.md says why. */
@AnalyzeClasses(
        packages = "io.tidemark",
        importOptions = {ImportOption.DoNotIncludeTests.class})
final class ArchitectureTest {

    @ArchTest
    static final ArchRule thePureCoreTouchesNothingTheSimulatorCannotReplace = noClasses()
            .that()
            .resideInAnyPackage(
                    "io.tidemark.replication..", "io.tidemark.domain..", "io.tidemark.policy..", "io.tidemark.block..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("io.vertx..", "java.net..", "java.sql..", "java.nio.file..", "java.nio.channels..")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(Clock.class, "systemUTC")
            .orShould()
            .callConstructor(Random.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Thread.class)
            .because("the simulator replays a run from its seed alone");

    @ArchTest
    static final ArchRule theNbdProtocolIsBytesInAndBytesOut = noClasses()
            .that()
            .resideInAPackage("io.tidemark.export.protocol..")
            .should()
            .dependOnClassesThat()
            .resideOutsideOfPackages(
                    "io.tidemark.export.protocol..",
                    "java.lang..",
                    "java.io..",
                    "java.nio",
                    "java.nio.charset..",
                    "java.util..",
                    "org.jspecify..")
            .because("the fuzzer and the tests give it bytes, not sockets");

    @ArchTest
    static final ArchRule vertxStaysInItsAdapters = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackages("io.tidemark.http..", "io.tidemark.bootstrap..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.vertx..")
            .because("only the adapters know the event loop");

    @ArchTest
    static final ArchRule jnrStaysInTheBlockEngine = noClasses()
            .that()
            .resideOutsideOfPackage("io.tidemark.nativeblock..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("jnr..");

    @ArchTest
    static final ArchRule sqlStaysInTheStoreAndTheDatabaseQuiescers = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackages(
                    "io.tidemark.store..",
                    "io.tidemark.consistency.jdbc..",
                    "io.tidemark.consistency.mariadb..",
                    "io.tidemark.consistency.mysql..",
                    "io.tidemark.consistency.mysqlprotocol..",
                    "io.tidemark.consistency.oracle..",
                    "io.tidemark.consistency.postgresql..",
                    "io.tidemark.consistency.sqlserver..",
                    "io.tidemark.quickstart..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("java.sql..");

    @ArchTest
    static final ArchRule mongoDbStaysInItsQuiescer = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackage("io.tidemark.consistency.mongodb..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.mongodb..", "org.bson..");

    @ArchTest
    static final ArchRule theSpiIsJdkAlone = noClasses()
            .that()
            .resideInAPackage("io.tidemark.spi..")
            .should()
            .dependOnClassesThat()
            .resideOutsideOfPackages("io.tidemark.spi..", "java..", "org.jspecify..");

    @ArchTest
    static final ArchRule theServiceNamesNoProvider = noClasses()
            .that()
            .resideOutsideOfPackages("io.tidemark.provider..", "io.tidemark.simulation..", "io.tidemark.benchmark..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.tidemark.provider.image..",
                    "io.tidemark.provider.lvm..",
                    "io.tidemark.provider.memory..",
                    "io.tidemark.provider.zfs..",
                    "io.tidemark.provider.btrfs..",
                    "io.tidemark.provider.ebs..",
                    "io.tidemark.provider.azure..",
                    "io.tidemark.provider.gce..",
                    "io.tidemark.provider.fakecloud..");

    @ArchTest
    static final ArchRule amazonsSdkStaysInItsProvider = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackage("io.tidemark.provider.ebs..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("software.amazon..");

    @ArchTest
    static final ArchRule azuresSdkStaysInItsProvider = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackage("io.tidemark.provider.azure..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.azure..");

    @ArchTest
    static final ArchRule googlesSdkStaysInItsProvider = noClasses()
            .that()
            .resideInAPackage("io.tidemark..")
            .and()
            .resideOutsideOfPackage("io.tidemark.provider.gce..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("com.google.cloud..", "com.google.api..", "com.google.auth..");

    @ArchTest
    static final ArchRule adaptersNeverSeeEachOther = slices().matching(
                    "io.tidemark.(http|cli|store|transport|export)..")
            .should()
            .notDependOnEachOther();

    @ArchTest
    static final ArchRule domainAndPolicyDependOnValuesAlone = noClasses()
            .that()
            .resideInAnyPackage("io.tidemark.domain..", "io.tidemark.policy..")
            .should()
            .dependOnClassesThat(JavaClass.Predicates.resideOutsideOfPackages(
                    "io.tidemark.domain..", "io.tidemark.policy..", "io.tidemark.spi..", "java..", "org.jspecify.."));

    @ArchTest
    static final ArchRule controlSeesNoAdapter = noClasses()
            .that()
            .resideInAPackage("io.tidemark.control..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.tidemark.http..",
                    "io.tidemark.cli..",
                    "io.tidemark.store..",
                    "io.tidemark.transport..",
                    "io.tidemark.bootstrap..",
                    "io.tidemark.nativeblock..");

    @ArchTest
    static final ArchRule packagesHaveNoCycles =
            slices().matching("io.tidemark.(*)..").namingSlices("$1").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule namesSayWhatThingsAre = noClasses()
            .should(ArchConditions.haveNameMatching(
                    ".*\\.(utils?|common|helpers?|managers?|impl)\\..*|.*(Impl|Manager|Utils?|Helper)"))
            .because("such a name says nothing about the domain");
}

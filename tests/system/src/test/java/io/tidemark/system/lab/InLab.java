package io.tidemark.system.lab;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/**
 * On test classes that make volumes of whole disks: they run in the lab and nowhere else. Their names end in
 * {@code InLab}, so that Surefire does not find them and counts no skip; this annotation is for whoever starts one by
 * hand.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@EnabledIfEnvironmentVariable(named = "TIDEMARK_LAB", matches = ".+", disabledReason = "runs only in the storage lab")
public @interface InLab {}

namespace Flotta.KubernetesTests.Faults;

/// <summary><c>make soak</c>: the same tests, longer and with more devices.</summary>
internal static class Soak
{
    public static bool IsOn => Environment.GetEnvironmentVariable("FLOTTA_SOAK") == "1";
}

using System.CommandLine;
using Flotta.Resources;

namespace Flotta.Cli.Verbs;

/// <summary><c>flotta crds</c>: the definitions of our kinds, for a cluster.</summary>
internal static class Crds
{
    public static Command Command()
    {
        var command = new Command("crds", "Print the CustomResourceDefinitions of Flotta's kinds as YAML.");
        command.WithExamples("flotta crds | kubectl apply -f -");
        command.SetAction(parsed => parsed.InvocationConfiguration.Output.Write(string.Concat(DefinitionManifests.All.Select(definition => definition.Yaml))));
        return command;
    }
}

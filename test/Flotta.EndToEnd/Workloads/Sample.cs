using System.Globalization;
using Flotta.Wire;

namespace Flotta.EndToEnd.Workloads;

internal static class Sample
{
    public static Workload Web(string name, int port, string image = PodmanHost.Image, string greeting = "hello", string extra = "") => new()
    {
        Name = name,
        Namespace = "default",
        Specification = string.Create(CultureInfo.InvariantCulture, $$"""
            containers:
            - name: web
              image: {{image}}
              imagePullPolicy: IfNotPresent
              command: ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
              env:
              - {name: GREETING, value: {{greeting}}}
              ports:
              - {containerPort: 8080, hostPort: {{port}} }
            {{extra}}
            """),
    };

    public static Workload Shell(string name, string script, string extra = "") => new()
    {
        Name = name,
        Namespace = "default",
        Specification = $"""
            containers:
            - name: main
              image: {PodmanHost.Image}
              command: ["/bin/sh", "-c", '{script}']
            {extra}
            """,
    };
}

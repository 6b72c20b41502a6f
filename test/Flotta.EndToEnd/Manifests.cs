namespace Flotta.EndToEnd;

/// <summary>EdgeWorkloads as a user writes them.</summary>
internal static class Manifests
{
    /// <summary>A container of the local image that serves /www on a port of the device.</summary>
    public static string Web(string name, int port, string selector, string image = "localhost/flotta-hello:1", string environment = "none") => $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {{name}}
        spec:
          {{selector}}
          type: pod
          pod:
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: web
                  image: {{image}}
                  imagePullPolicy: IfNotPresent
                  command: ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
                  env:
                    - name: GREETING
                      value: "{{environment}}"
                  ports:
                    - containerPort: 8080
                      hostPort: {{port}}
        """;

    /// <summary>One that fails in the same way each time it is tried, without a network.</summary>
    public static string Failing(string name, string selector) => $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {{name}}
        spec:
          {{selector}}
          type: pod
          pod:
            spec:
              containers:
                - name: none
                  image: localhost/flotta-absent:1
                  imagePullPolicy: Never
        """;

    public static string OnDevice(string device) => $"device: {device}";

    public static string Matching(string key, string value) => $"deviceSelector: {{ matchLabels: {{ {key}: {value} }} }}";
}
